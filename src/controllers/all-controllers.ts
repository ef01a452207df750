/** The controllers of a cluster, and the controller manager that runs them. */
import type { Client } from '../client/client.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { type AnyController, startControllers } from '../client/controller-runner.ts'
import { type Election, runLeaderElection } from '../client/leader-election.ts'
import { bootstrapSigner } from './bootstrap-signer.ts'
import { certificateApprovingController } from './certificate-approving.ts'
import { certificateCleaner } from './certificate-cleaner.ts'
import type { CertificateSigner } from './certificate-rules.ts'
import { certificateSigningController } from './certificate-signing.ts'
import { cronJobController } from './cron-job.ts'
import { daemonSetController } from './daemon-set.ts'
import { deploymentController } from './deployment.ts'
import { disruptionController } from './disruption.ts'
import { endpointSliceController } from './endpoint-slice.ts'
import { endpointSliceMirroring } from './endpoint-slice-mirroring.ts'
import { endpointsController } from './endpoints.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { type AutoscalerOptions, horizontalPodAutoscalerController } from './horizontal-pod-autoscaler.ts'
import { jobController } from './job.ts'
import { type VolumeDirectories, volumeProvisioner } from './local-directory-provisioner.ts'
import { namespaceController } from './namespace.ts'
import { type NodeRangeOptions, nodeIpamController } from './node-ipam.ts'
import { type NodeLifecycleOptions, nodeLifecycleController } from './node-lifecycle.ts'
import { nodeTtlController } from './node-ttl.ts'
import { addObjectMetrics } from './object-metrics.ts'
import { persistentVolumeClaimBinder } from './persistent-volume-binder.ts'
import { persistentVolumeLifecycle } from './persistent-volume-lifecycle.ts'
import { type PodGarbageOptions, startPodGarbageCollector } from './pod-garbage-collector.ts'
import { queueNameOf } from './queue-names.ts'
import { replicaSetController } from './replica-set.ts'
import { replicationController } from './replication-controller.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { rootCaPublisher } from './root-ca-publisher.ts'
import { serviceAccountController } from './service-account.ts'
import { staleDisruptionController } from './stale-disruption.ts'
import { statefulSetController } from './stateful-set.ts'
import { taintEvictionController } from './taint-eviction.ts'
import { tokenCleaner } from './token-cleaner.ts'
import { timeToLiveController } from './ttl-after-finished.ts'
import { claimProtection, volumeProtection } from './volume-protection.ts'

export interface ControllerManagerOptions {
  /** The cluster's CA, PEM; published to every namespace. */
  clusterCa?: string
  /** Signs certificate requests that were approved; without it nobody does. */
  certificateSigner?: CertificateSigner
  /** Provisions volumes of the class `standard`; without it nobody does. */
  volumeDirectories?: VolumeDirectories
  /** Gives each node its range of pod addresses; without it nodes bring their own. */
  nodeRanges?: NodeRangeOptions
  nodeLifecycle?: NodeLifecycleOptions
  podGarbage?: PodGarbageOptions
  autoscaler?: AutoscalerOptions
  /** Stands for election under this name, and runs only while it leads. */
  leaderElection?: Election
  /** The client of one controller, which speaks as its own user; that of the context when absent. */
  clientFor?(controller: string): Client
}

/** A controller that is no {@link AnyController}: it goes by more than the keys of one kind. */
interface OtherController {
  name: string
  start(context: ComponentContext): Component
}

export function allControllers(options: ControllerManagerOptions = {}): { definitions: AnyController[]; others: OtherController[] } {
  return {
    definitions: [
      deploymentController,
      replicaSetController,
      statefulSetController,
      daemonSetController(),
      replicationController,
      jobController,
      cronJobController,
      timeToLiveController,
      namespaceController,
      serviceAccountController,
      bootstrapSigner,
      tokenCleaner,
      endpointSliceController,
      endpointsController,
      endpointSliceMirroring,
      resourceQuotaController,
      nodeTtlController,
      persistentVolumeClaimBinder,
      persistentVolumeLifecycle,
      claimProtection,
      ephemeralVolumeController,
      volumeProtection,
      nodeLifecycleController(options.nodeLifecycle),
      taintEvictionController,
      disruptionController(),
      staleDisruptionController,
      horizontalPodAutoscalerController(options.autoscaler),
      ...(options.nodeRanges ? [nodeIpamController(options.nodeRanges)] : []),
      ...(options.certificateSigner
        ? [certificateApprovingController(options.certificateSigner), certificateSigningController(options.certificateSigner), certificateCleaner]
        : []),
      ...(options.clusterCa ? [rootCaPublisher(options.clusterCa)] : []),
      ...(options.volumeDirectories ? volumeProvisioner(options.volumeDirectories) : []),
    ],
    others: [
      { name: 'garbage-collector-controller', start: startGarbageCollector },
      { name: 'pod-garbage-collector-controller', start: (context) => startPodGarbageCollector(context, options.podGarbage) },
    ],
  }
}

/** Runs all controllers, alone or beside other components of a process. */
export function startControllerManager(context: ComponentContext, options: ControllerManagerOptions = {}): Component {
  const name = 'controller-manager'
  const { leaderElection } = options
  if (!leaderElection) {
    const running = startAll(context, options)
    return { name, stop: () => stopAll(running) }
  }
  const stopped = new AbortController()
  const ended = runLeaderElection({
    client: context.client,
    clock: context.clock,
    log: context.log,
    namespace: leaderElection.namespace ?? 'kube-system',
    name: leaderElection.name ?? 'kube-controller-manager',
    identity: leaderElection.identity,
    retryPeriodMs: leaderElection.retryPeriodMs,
    metrics: context.metrics,
    signal: stopped.signal,
    async lead(signal) {
      const running = startAll(context, options)
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await stopAll(running)
    },
  })
  return {
    name,
    async stop() {
      stopped.abort(new Error(`${name} was stopped`))
      await ended
    },
  }
}

function startAll(context: ComponentContext, options: ControllerManagerOptions): Component[] {
  const { definitions, others } = allControllers(options)
  if (context.metrics)
    addObjectMetrics(
      context.metrics,
      context.informers,
      'kube-controller-manager',
      [...definitions, ...others].map(({ name }) => name),
    )
  const contextOf = (controller: string): ComponentContext => ({ ...context, client: options.clientFor?.(controller) ?? context.client })
  return [
    ...definitions.map((definition) => startControllers([definition], contextOf(definition.name), { queueName: queueNameOf })),
    ...others.map(({ name, start }) => start(contextOf(name))),
  ]
}

const stopAll = (components: Component[]) => Promise.all(components.map((component) => component.stop())).then(() => undefined)
