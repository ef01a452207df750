/**
 * The service account of the nodes' Service proxies, as kubeadm names it. A node may ask for its token, bound to its own
 * Node: what a proxy has to read of the whole cluster, its kubelet need not be allowed.
 */
export const nodeProxyAccount = { namespace: 'kube-system', name: 'kube-proxy' } as const
/** The longest that such a token counts; the node asks again before. */
export const nodeProxyTokenSeconds = 3600
