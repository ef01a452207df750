/** How operations are called: `createAppsV1NamespacedDeployment`, tag `apps_v1`. */

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** `rbacAuthorization` for `rbac.authorization.k8s.io`, `core` for the group without a name. */
export function groupIdentifier(group: string): string {
  const [first = '', ...rest] = (group === '' ? 'core' : group).replace(/\.k8s\.io$/, '').split('.')
  return first + rest.map(capital).join('')
}

export const tagOf = (group: string, version: string): string => `${groupIdentifier(group)}_${version}`

export const versionIdentifier = (group: string, version: string): string => capital(groupIdentifier(group)) + capital(version)

export function operationId(verb: string, group: string, version: string, namespaced: boolean, kind: string, more = ''): string {
  return `${verb}${versionIdentifier(group, version)}${more.startsWith('Collection') ? 'Collection' : ''}${namespaced ? 'Namespaced' : ''}${kind}${more.replace('Collection', '')}`
}

export { capital }
