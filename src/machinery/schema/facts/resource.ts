import { apiPackage, atomic, keyedBy, mergedBy, quantity } from './api-package.ts'

export const resourceV1 = apiPackage(
  'io.k8s.api.resource.v1',
  {
    AllocatedDeviceStatus: {
      conditions: keyedBy('type'),
      data: { raw: 'RawExtension' },
    },
    CapacityRequestPolicy: {
      default: quantity,
      validValues: { list: 'atomic', raw: 'Quantity' },
    },
    CapacityRequestPolicyRange: {
      max: quantity,
      min: quantity,
      step: quantity,
    },
    CapacityRequirements: {
      requests: quantity,
    },
    Counter: {
      value: quantity,
    },
    Device: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumesCounters: atomic,
      taints: atomic,
    },
    DeviceAllocationConfiguration: {
      requests: atomic,
    },
    DeviceAllocationResult: {
      config: atomic,
      results: atomic,
    },
    DeviceAttribute: {
      bools: atomic,
      ints: atomic,
      strings: atomic,
      versions: atomic,
    },
    DeviceCapacity: {
      value: quantity,
    },
    DeviceClaim: {
      config: atomic,
      constraints: atomic,
      requests: atomic,
    },
    DeviceClaimConfiguration: {
      requests: atomic,
    },
    DeviceClassSpec: {
      config: atomic,
      selectors: atomic,
    },
    DeviceConstraint: {
      requests: atomic,
    },
    DeviceRequest: {
      firstAvailable: atomic,
    },
    DeviceRequestAllocationResult: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumedCapacity: quantity,
      tolerations: atomic,
    },
    DeviceSubRequest: {
      selectors: atomic,
      tolerations: atomic,
    },
    DeviceToleration: {
      operator: { default: 'Equal' },
    },
    ExactDeviceRequest: {
      selectors: atomic,
      tolerations: atomic,
    },
    NetworkDeviceData: {
      ips: atomic,
    },
    NodeAllocatableResourceMapping: {
      allocationMultiplier: quantity,
    },
    OpaqueDeviceConfiguration: {
      parameters: { raw: 'RawExtension' },
    },
    ResourceClaimStatus: {
      devices: keyedBy('driver', 'device', 'pool', 'shareID'),
      reservedFor: mergedBy('uid'),
    },
    ResourceSliceSpec: {
      devices: atomic,
      sharedCounters: atomic,
    },
  },
  `
  AllocationResult CELDeviceSelector CounterSet DeviceClass DeviceClassConfiguration DeviceClassList DeviceCounterConsumption
  DeviceSelector DeviceTaint ResourceClaim ResourceClaimConsumerReference ResourceClaimList ResourceClaimSpec
  ResourceClaimTemplate ResourceClaimTemplateList ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList
  `,
)

export const resourceV1beta1 = apiPackage(
  'io.k8s.api.resource.v1beta1',
  {
    AllocatedDeviceStatus: {
      conditions: keyedBy('type'),
      data: { raw: 'RawExtension' },
    },
    BasicDevice: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumesCounters: atomic,
      taints: atomic,
    },
    CapacityRequestPolicy: {
      default: quantity,
      validValues: { list: 'atomic', raw: 'Quantity' },
    },
    CapacityRequestPolicyRange: {
      max: quantity,
      min: quantity,
      step: quantity,
    },
    CapacityRequirements: {
      requests: quantity,
    },
    Counter: {
      value: quantity,
    },
    DeviceAllocationConfiguration: {
      requests: atomic,
    },
    DeviceAllocationResult: {
      config: atomic,
      results: atomic,
    },
    DeviceAttribute: {
      bools: atomic,
      ints: atomic,
      strings: atomic,
      versions: atomic,
    },
    DeviceCapacity: {
      value: quantity,
    },
    DeviceClaim: {
      config: atomic,
      constraints: atomic,
      requests: atomic,
    },
    DeviceClaimConfiguration: {
      requests: atomic,
    },
    DeviceClassSpec: {
      config: atomic,
      selectors: atomic,
    },
    DeviceConstraint: {
      requests: atomic,
    },
    DeviceRequest: {
      firstAvailable: atomic,
      selectors: atomic,
      tolerations: atomic,
    },
    DeviceRequestAllocationResult: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumedCapacity: quantity,
      tolerations: atomic,
    },
    DeviceSubRequest: {
      selectors: atomic,
      tolerations: atomic,
    },
    DeviceToleration: {
      operator: { default: 'Equal' },
    },
    NetworkDeviceData: {
      ips: atomic,
    },
    NodeAllocatableResourceMapping: {
      allocationMultiplier: quantity,
    },
    OpaqueDeviceConfiguration: {
      parameters: { raw: 'RawExtension' },
    },
    ResourceClaimStatus: {
      devices: keyedBy('driver', 'device', 'pool', 'shareID'),
      reservedFor: mergedBy('uid'),
    },
    ResourceSliceSpec: {
      devices: atomic,
      sharedCounters: atomic,
    },
  },
  `
  AllocationResult CELDeviceSelector CounterSet Device DeviceClass DeviceClassConfiguration DeviceClassList
  DeviceCounterConsumption DeviceSelector DeviceTaint ResourceClaim ResourceClaimConsumerReference ResourceClaimList
  ResourceClaimSpec ResourceClaimTemplate ResourceClaimTemplateList ResourceClaimTemplateSpec ResourcePool ResourceSlice
  ResourceSliceList
  `,
)

export const resourceV1beta2 = apiPackage(
  'io.k8s.api.resource.v1beta2',
  {
    AllocatedDeviceStatus: {
      conditions: keyedBy('type'),
      data: { raw: 'RawExtension' },
    },
    CapacityRequestPolicy: {
      default: quantity,
      validValues: { list: 'atomic', raw: 'Quantity' },
    },
    CapacityRequestPolicyRange: {
      max: quantity,
      min: quantity,
      step: quantity,
    },
    CapacityRequirements: {
      requests: quantity,
    },
    Counter: {
      value: quantity,
    },
    Device: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumesCounters: atomic,
      taints: atomic,
    },
    DeviceAllocationConfiguration: {
      requests: atomic,
    },
    DeviceAllocationResult: {
      config: atomic,
      results: atomic,
    },
    DeviceAttribute: {
      bools: atomic,
      ints: atomic,
      strings: atomic,
      versions: atomic,
    },
    DeviceCapacity: {
      value: quantity,
    },
    DeviceClaim: {
      config: atomic,
      constraints: atomic,
      requests: atomic,
    },
    DeviceClaimConfiguration: {
      requests: atomic,
    },
    DeviceClassSpec: {
      config: atomic,
      selectors: atomic,
    },
    DeviceConstraint: {
      requests: atomic,
    },
    DeviceRequest: {
      firstAvailable: atomic,
    },
    DeviceRequestAllocationResult: {
      bindingConditions: atomic,
      bindingFailureConditions: atomic,
      consumedCapacity: quantity,
      tolerations: atomic,
    },
    DeviceSubRequest: {
      selectors: atomic,
      tolerations: atomic,
    },
    DeviceTaintRuleStatus: {
      conditions: mergedBy('type'),
    },
    DeviceToleration: {
      operator: { default: 'Equal' },
    },
    ExactDeviceRequest: {
      selectors: atomic,
      tolerations: atomic,
    },
    NetworkDeviceData: {
      ips: atomic,
    },
    NodeAllocatableResourceMapping: {
      allocationMultiplier: quantity,
    },
    OpaqueDeviceConfiguration: {
      parameters: { raw: 'RawExtension' },
    },
    ResourceClaimStatus: {
      devices: keyedBy('driver', 'device', 'pool', 'shareID'),
      reservedFor: mergedBy('uid'),
    },
    ResourceSliceSpec: {
      devices: atomic,
      sharedCounters: atomic,
    },
  },
  `
  AllocationResult CELDeviceSelector CounterSet DeviceClass DeviceClassConfiguration DeviceClassList DeviceCounterConsumption
  DeviceSelector DeviceTaint DeviceTaintRule DeviceTaintRuleList DeviceTaintRuleSpec DeviceTaintSelector ResourceClaim
  ResourceClaimConsumerReference ResourceClaimList ResourceClaimSpec ResourceClaimTemplate ResourceClaimTemplateList
  ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList
  `,
)
