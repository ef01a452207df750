/** Who may do what: the superuser group first, then roles and their bindings. */
import { ensureSystemNamespaces } from '../bootstrap/system-namespaces.ts'
import type { AuthorizationAttributes, Authorizer, Decision, ServerPart, ServerPartFactory } from '../contracts.ts'
import { accessReviews } from './access-reviews.ts'
import { aggregateClusterRoles, followClusterRoles } from './cluster-role-aggregation.ts'
import { escalationHooks } from './escalation.ts'
import { Rbac } from './rbac.ts'
import { reconcileDefaultRoles } from './reconcile-defaults.ts'
import { superuser } from './superuser.ts'

export const authorization: ServerPartFactory = (server): ServerPart => {
  let loading: Promise<Rbac> | undefined
  let stopFollowing = () => {}

  const group = 'rbac.authorization.k8s.io'
  async function load(): Promise<Rbac> {
    const [roles, roleBindings, clusterRoles, clusterRoleBindings] = await Promise.all([
      server.cached(`roles.${group}`),
      server.cached(`rolebindings.${group}`),
      server.cached(`clusterroles.${group}`),
      server.cached(`clusterrolebindings.${group}`),
    ])
    return new Rbac({ roles, roleBindings, clusterRoles, clusterRoleBindings })
  }
  let loaded: Rbac | undefined
  async function whenLoaded(): Promise<Rbac> {
    loading ??= load()
    loaded = await loading
    return loaded
  }

  const rbac: Authorizer = {
    name: 'RBAC',
    authorize: (attributes: AuthorizationAttributes): Decision | Promise<Decision> =>
      loaded ? loaded.authorize(attributes) : whenLoaded().then((one) => one.authorize(attributes)),
  }
  return {
    name: 'authorization',
    authorizers: [superuser, rbac],
    hooks: escalationHooks(server, whenLoaded),
    handlers: accessReviews(server, (user, namespace) => loaded?.rulesFor(user, namespace) ?? []),
    async start() {
      const clusterRoles = await server.cached(`clusterroles.${group}`)
      await whenLoaded()
      await ensureSystemNamespaces(server)
      await reconcileDefaultRoles(server)
      await aggregateClusterRoles(server, clusterRoles)
      stopFollowing = followClusterRoles(server, clusterRoles)
    },
    stop() {
      stopFollowing()
      loaded?.stop()
    },
  }
}
