import { maxScore, type Plugin } from '../framework.ts'

const mebibyte = 1024 * 1024
const least = 23 * mebibyte
const mostPerContainer = 1000 * mebibyte

/** The name under which nodes report an image: with a tag. */
const normalized = (image: string) => (image.lastIndexOf(':') <= image.lastIndexOf('/') && !image.includes('@') ? `${image}:latest` : image)

/** Prefers nodes that have the pod's images, by size; less where only few nodes have them, so that they are not flooded. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  weight: 1,
  wakenBy: [],
  preScore(pod, _nodes, cluster, state) {
    const all = Math.max(1, cluster.nodes().length)
    const containers = [...pod.pod.spec.containers, ...(pod.pod.spec.initContainers ?? [])]
    const spread = new Map<string, number>()
    for (const { image } of containers) {
      const name = normalized(image ?? '')
      spread.set(name, cluster.index.withImage(name) / all)
    }
    if ([...spread.values()].every((share) => share === 0)) return 'skip'
    state.set('ImageLocality', { spread, containers: containers.length })
    return undefined
  },
  score(_pod, node, state) {
    const { spread, containers } = state.get('ImageLocality') as { spread: Map<string, number>; containers: number }
    let sum = 0
    for (const [name, share] of spread) sum += (node.images.get(name) ?? 0) * share
    const most = mostPerContainer * containers
    return Math.floor((maxScore * (Math.min(Math.max(sum, least), most) - least)) / (most - least))
  },
}
