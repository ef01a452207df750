import { apiPackage, atomic, atomicStruct, mergedBy, quantity } from './api-package.ts'

export const autoscalingV1 = apiPackage(
  'io.k8s.api.autoscaling.v1',
  {
    CrossVersionObjectReference: {
      '': atomicStruct,
    },
  },
  `
  HorizontalPodAutoscaler HorizontalPodAutoscalerList HorizontalPodAutoscalerSpec HorizontalPodAutoscalerStatus Scale ScaleSpec
  ScaleStatus
  `,
)

export const autoscalingV2 = apiPackage(
  'io.k8s.api.autoscaling.v2',
  {
    HPAScalingRules: {
      policies: atomic,
      tolerance: quantity,
    },
    HorizontalPodAutoscalerSpec: {
      metrics: atomic,
    },
    HorizontalPodAutoscalerStatus: {
      conditions: mergedBy('type'),
      currentMetrics: atomic,
    },
    MetricTarget: {
      averageValue: quantity,
      value: quantity,
    },
    MetricValueStatus: {
      averageValue: quantity,
      value: quantity,
    },
  },
  `
  ContainerResourceMetricSource ContainerResourceMetricStatus CrossVersionObjectReference ExternalMetricSource
  ExternalMetricStatus HPAScalingPolicy HorizontalPodAutoscaler HorizontalPodAutoscalerBehavior HorizontalPodAutoscalerCondition
  HorizontalPodAutoscalerList MetricIdentifier MetricSpec MetricStatus ObjectMetricSource ObjectMetricStatus PodsMetricSource
  PodsMetricStatus ResourceMetricSource ResourceMetricStatus
  `,
)
