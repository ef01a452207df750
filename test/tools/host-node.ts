/**
 * The host's Node.js inside a container, by hostPath volumes: a program with the C library's resolver, TLS and UDP,
 * which busybox has not, and that knows nothing of Skiff.
 */
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'

const paths = [...['/usr', '/lib', '/lib64'].filter((path) => existsSync(path)).map((path) => [path, path]), ['/node', dirname(process.execPath)]]

/** Items of `volumeMounts`. */
export const nodeMounts = paths.map(([at], index) => `{ name: host-${index}, mountPath: ${at}, readOnly: true }`).join(', ')
/** Items of `volumes`. */
export const nodeVolumes = paths.map(([, path], index) => `{ name: host-${index}, hostPath: { path: ${path} } }`).join(', ')
/** Its path in the container. */
export const nodeProgram = `/node/${basename(process.execPath)}`
