/** Who may do what: the superuser group first, then kubelets by what they run, then roles and their bindings. */
import { ensureSystemNamespaces } from '../bootstrap/system-namespaces.ts'
import type { AuthorizationAttributes, Authorizer, Decision, ServerPart, ServerPartFactory } from '../contracts.ts'
import { accessReviews } from './access-reviews.ts'
import { aggregateClusterRoles, followClusterRoles } from './cluster-role-aggregation.ts'
import { escalationHooks } from './escalation.ts'
import { nodeAuthorizer } from './node/node-authorizer.ts'
import { NodeGraph } from './node/node-graph.ts'
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

  let graph: NodeGraph | Promise<NodeGraph> | undefined
  async function loadGraph(): Promise<NodeGraph> {
    const [pods, persistentVolumes, volumeAttachments, resourceSlices] = await Promise.all([
      server.cached('pods'),
      server.cached('persistentvolumes'),
      server.cached('volumeattachments.storage.k8s.io'),
      server.cached('resourceslices.resource.k8s.io'),
    ])
    graph = new NodeGraph({ pods, persistentVolumes, volumeAttachments, resourceSlices })
    return graph
  }
  function nodeGraph(): NodeGraph | Promise<NodeGraph> {
    graph ??= loadGraph()
    return graph
  }

  const rbac: Authorizer = {
    name: 'RBAC',
    authorize: (attributes: AuthorizationAttributes): Decision | Promise<Decision> =>
      loaded ? loaded.authorize(attributes) : whenLoaded().then((one) => one.authorize(attributes)),
  }
  return {
    name: 'authorization',
    authorizers: [superuser, nodeAuthorizer(nodeGraph), rbac],
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
      if (graph instanceof NodeGraph) graph.stop()
    },
  }
}
