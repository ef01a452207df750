/** Who the process is: the pod's wish, else the image's, looked up in the image's own `/etc/passwd` and `/etc/group`. */
import { RuntimeError } from '../../runtime.ts'
import { readInRoot } from './rootfs-path.ts'

export interface ProcessUser {
  uid: number
  gid: number
  additionalGids: number[]
}

export interface UserWish {
  runAsUser?: number
  runAsUserName?: string
  runAsGroup?: number
  supplementalGroups: number[]
  strictGroups?: boolean
}

/** `imageUser` is `user`, `uid`, `user:group` …; empty is root. */
export function resolveUser(root: string, wish: UserWish, imageUser = ''): ProcessUser {
  const [imageName = '', imageGroup] = imageUser.split(':')
  const fromPod = wish.runAsUser !== undefined || wish.runAsUserName !== undefined
  const name = fromPod ? String(wish.runAsUser ?? wish.runAsUserName) : imageName || '0'
  const passwd = fieldsOf(readInRoot(root, '/etc/passwd'))
  const groups = fieldsOf(readInRoot(root, '/etc/group'))
  const line = passwd.find(([login]) => login === name) ?? (isNumber(name) ? passwd.find(([, , uid]) => uid === name) : undefined)
  if (!line && !isNumber(name)) throw new RuntimeError('CreateContainerError', `unable to find user ${name}: no matching entries in passwd file`)
  const uid = Number(line?.[2] ?? name)
  const gid = wish.runAsGroup ?? (!fromPod && imageGroup ? groupId(groups, imageGroup) : Number(line?.[3] ?? 0))
  const login = line?.[0]
  const isMember = !wish.strictGroups && login !== undefined
  const memberOf = groups.filter(([, , , members]) => isMember && members?.split(',').includes(login)).map(([, , id]) => Number(id))
  return { uid, gid, additionalGids: [...new Set([gid, ...memberOf, ...wish.supplementalGroups])] }
}

/** Where the user lives, by the image's own `/etc/passwd`; `/` for one that it does not know, as runc has it. */
export function homeOf(root: string, { uid }: ProcessUser): string {
  return fieldsOf(readInRoot(root, '/etc/passwd')).find(([, , id]) => Number(id) === uid)?.[5] || '/'
}

function groupId(groups: string[][], name: string): number {
  const line = groups.find(([group]) => group === name)
  if (line) return Number(line[2])
  if (!isNumber(name)) throw new RuntimeError('CreateContainerError', `unable to find group ${name}: no matching entries in group file`)
  return Number(name)
}

const isNumber = (text: string) => /^\d+$/.test(text)

const fieldsOf = (text = ''): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
