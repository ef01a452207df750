import { apiPackage, atomic, mergedBy, set } from './api-package.ts'

export const flowcontrolV1 = apiPackage(
  'io.k8s.api.flowcontrol.v1',
  {
    FlowSchemaSpec: {
      rules: atomic,
    },
    FlowSchemaStatus: {
      conditions: mergedBy('type'),
    },
    NonResourcePolicyRule: {
      nonResourceURLs: set,
      verbs: set,
    },
    PolicyRulesWithSubjects: {
      nonResourceRules: atomic,
      resourceRules: atomic,
      subjects: atomic,
    },
    PriorityLevelConfigurationStatus: {
      conditions: mergedBy('type'),
    },
    ResourcePolicyRule: {
      apiGroups: set,
      namespaces: set,
      resources: set,
      verbs: set,
    },
  },
  `
  ExemptPriorityLevelConfiguration FlowDistinguisherMethod FlowSchema FlowSchemaCondition FlowSchemaList GroupSubject
  LimitResponse LimitedPriorityLevelConfiguration PriorityLevelConfiguration PriorityLevelConfigurationCondition
  PriorityLevelConfigurationList PriorityLevelConfigurationReference PriorityLevelConfigurationSpec QueuingConfiguration
  ServiceAccountSubject Subject UserSubject
  `,
)
