/** Where the kubelet keeps what belongs to pods, below its root directory; as upstream lays it out. */
import { join } from 'node:path'

export interface PodName {
  namespace: string
  name: string
  uid: string
}

/** No name here has a part that leads elsewhere: they are checked when the API server takes them. */
export class Directories {
  readonly root: string
  readonly pods: string
  readonly logs: string

  constructor(root: string) {
    this.root = root
    this.pods = join(root, 'pods')
    this.logs = join(root, 'log', 'pods')
  }

  pod(uid: string): string {
    return `${this.pods}/${uid}`
  }
  /** `kind` is the plugin's name with `/` written as `~`. */
  volume(uid: string, kind: string, name: string): string {
    return `${this.pods}/${uid}/volumes/${kind}/${name}`
  }
  subPaths(uid: string): string {
    return `${this.pods}/${uid}/volume-subpaths`
  }
  container(uid: string, name: string): string {
    return `${this.pods}/${uid}/containers/${name}`
  }
  hostsFile(uid: string): string {
    return `${this.pods}/${uid}/etc-hosts`
  }
  podLogs({ namespace, name, uid }: PodName): string {
    return `${this.logs}/${namespace}_${name}_${uid}`
  }
}
