/** Where the kubelet keeps what belongs to pods, below its root directory; as upstream lays it out. */
import { join } from 'node:path'

export interface PodName {
  namespace: string
  name: string
  uid: string
}

export class Directories {
  readonly root: string
  constructor(root: string) {
    this.root = root
  }

  get pods(): string {
    return join(this.root, 'pods')
  }
  get logs(): string {
    return join(this.root, 'log', 'pods')
  }
  pod(uid: string): string {
    return join(this.pods, uid)
  }
  /** `kind` is the plugin's name with `/` written as `~`. */
  volume(uid: string, kind: string, name: string): string {
    return join(this.pod(uid), 'volumes', kind, name)
  }
  subPaths(uid: string): string {
    return join(this.pod(uid), 'volume-subpaths')
  }
  container(uid: string, name: string): string {
    return join(this.pod(uid), 'containers', name)
  }
  hostsFile(uid: string): string {
    return join(this.pod(uid), 'etc-hosts')
  }
  podLogs({ namespace, name, uid }: PodName): string {
    return join(this.logs, `${namespace}_${name}_${uid}`)
  }
}
