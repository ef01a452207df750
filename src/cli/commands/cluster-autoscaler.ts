/** The autoscaler alone: for pools whose nodes an external provider makes. */
import { startClusterAutoscaler } from '../../autoscaler/cluster-autoscaler.ts'
import { type CloudConfig, readCloudConfig } from '../../autoscaler/external/cloud-config.ts'
import { externalProviderOnDemand } from '../../autoscaler/external/on-demand.ts'
import { autoscalerPort, withAutoscalerPages } from '../../cluster/autoscaler-pages.ts'
import { UserError } from '../../cluster/user-error.ts'
import { autoscalerOptions, autoscalerSettings } from '../autoscaler-options.ts'
import type { Command, Values } from '../command.ts'
import { bindOption, connect, contextOption, election, electOption, kubeconfigOption, metricsOption, pagesOn, runUntilSignal } from './components.ts'

async function cloudConfig(values: Values): Promise<{ cloudConfig?: CloudConfig }> {
  const file = values['cloud-config']
  if (typeof file !== 'string') return {}
  try {
    return { cloudConfig: await readCloudConfig(file) }
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error))
  }
}

export const clusterAutoscaler: Command = {
  name: 'cluster-autoscaler',
  summary: 'Keeps NodePools of kind External as large as the pods need.',
  options: {
    kubeconfig: kubeconfigOption,
    context: contextOption,
    'leader-elect': electOption,
    'bind-address': bindOption,
    'metrics-port': metricsOption(autoscalerPort),
    'cloud-config': { type: 'string', value: 'FILE', help: 'address, key, cert and cacert of the provider of pools that name none' },
    ...autoscalerOptions,
  },
  run: (values) =>
    runUntilSignal(async () => {
      const settings = autoscalerSettings(values)
      const config = await cloudConfig(values)
      const { metrics: at } = pagesOn(values)
      const context = connect(values, 'cluster-autoscaler')
      const { client, clock, metrics } = context
      const providers = { External: externalProviderOnDemand({ client, clock, ...config }) }
      const autoscaler = startClusterAutoscaler(context, { providers, settings, ...election(values) })
      return at && metrics ? withAutoscalerPages(autoscaler, metrics, at) : autoscaler
    }),
}
