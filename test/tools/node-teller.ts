/** A container that says over HTTP on which node it runs, and the Service in front of those labelled `app: web`. */
import { busybox } from './cluster.ts'

/** One entry of `containers`, in a line. */
export const nodeTeller = `{ name: web, image: ${busybox}, command: [sh, -c, 'mkdir /www; echo $NODE > /www/index.html; exec httpd -f -p 8080 -h /www'], env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }], readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 } }`

export const nodeTellerService = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`
