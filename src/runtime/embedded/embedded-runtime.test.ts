import { join } from 'node:path'
import { insideNamespaces } from '../../../test/tools/namespaces.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { runtimeContract } from '../runtime.contract.ts'
import { buildBusyboxImage } from './build/busybox-image.ts'
import { createEmbeddedRuntime } from './embedded-runtime.ts'
import { openImageStore } from './images/image-store.ts'
import { nullNetwork } from './null-network.ts'

const inside = insideNamespaces(import.meta.url)
if (inside) {
  const { directory, cgroupRoot } = inside
  const options = { dataDir: join(directory, 'data'), stateDir: join(directory, 'run'), cgroupRoot, network: nullNetwork, clock: realClock }
  runtimeContract('embedded', async () => {
    await buildBusyboxImage(openImageStore(join(options.dataDir, 'images')))
    return {
      runtime: await createEmbeddedRuntime({ ...options, log: (message, error) => console.log(message, error ?? '') }),
      image: 'busybox:1.35',
      directory: join(directory, 'logs'),
      cgroupParent: '/pods',
      network: 'pod',
      tick: () => new Promise((resolve) => setTimeout(resolve, 20)),
      restart: () => createEmbeddedRuntime(options),
    }
  })
}
