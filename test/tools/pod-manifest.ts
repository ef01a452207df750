import { busybox } from './cluster.ts'

/** One pod of one container that runs a shell script; more fields of the container and of the pod's spec as YAML. */
export const podOf = (name: string, script: string, { container = '', spec = '', labels = '' } = {}): string => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name}${labels ? `, ${labels}` : ''} } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: ${busybox}
      command: [sh, -c, ${JSON.stringify(script)}]
${container.replace(/^/gm, '      ')}
${spec.replace(/^/gm, '  ')}
`

/** A script that does nothing until it is told to end. */
export const forever = 'trap "exit 0" TERM; while true; do sleep 0.2; done'
