import { apiPackage, atomic, atomicStruct, keyedBy, mergedBy, set } from './api-package.ts'

export const admissionregistrationV1 = apiPackage(
  'io.k8s.api.admissionregistration.v1',
  {
    MatchResources: {
      '': atomicStruct,
      excludeResourceRules: atomic,
      resourceRules: atomic,
    },
    MutatingAdmissionPolicySpec: {
      matchConditions: mergedBy('name'),
      mutations: atomic,
      variables: atomic,
    },
    MutatingWebhook: {
      admissionReviewVersions: atomic,
      matchConditions: mergedBy('name'),
      rules: atomic,
    },
    MutatingWebhookConfiguration: {
      webhooks: mergedBy('name'),
    },
    NamedRuleWithOperations: {
      '': atomicStruct,
      apiGroups: atomic,
      apiVersions: atomic,
      operations: atomic,
      resourceNames: atomic,
      resources: atomic,
    },
    ParamKind: {
      '': atomicStruct,
    },
    ParamRef: {
      '': atomicStruct,
    },
    RuleWithOperations: {
      apiGroups: atomic,
      apiVersions: atomic,
      operations: atomic,
      resources: atomic,
    },
    TypeChecking: {
      expressionWarnings: atomic,
    },
    ValidatingAdmissionPolicyBindingSpec: {
      validationActions: set,
    },
    ValidatingAdmissionPolicySpec: {
      auditAnnotations: atomic,
      matchConditions: mergedBy('name'),
      validations: atomic,
      variables: mergedBy('name'),
    },
    ValidatingAdmissionPolicyStatus: {
      conditions: keyedBy('type'),
    },
    ValidatingWebhook: {
      admissionReviewVersions: atomic,
      matchConditions: mergedBy('name'),
      rules: atomic,
    },
    ValidatingWebhookConfiguration: {
      webhooks: mergedBy('name'),
    },
    Variable: {
      '': atomicStruct,
    },
  },
  `
  ApplyConfiguration AuditAnnotation ExpressionWarning JSONPatch MatchCondition MutatingAdmissionPolicy
  MutatingAdmissionPolicyBinding MutatingAdmissionPolicyBindingList MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList
  MutatingWebhookConfigurationList Mutation ServiceReference ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
  ValidatingAdmissionPolicyBindingList ValidatingAdmissionPolicyList ValidatingWebhookConfigurationList Validation
  WebhookClientConfig
  `,
)

export const admissionregistrationV1beta1 = apiPackage(
  'io.k8s.api.admissionregistration.v1beta1',
  {
    MatchResources: {
      '': atomicStruct,
      excludeResourceRules: atomic,
      resourceRules: atomic,
    },
    MutatingAdmissionPolicySpec: {
      matchConditions: mergedBy('name'),
      mutations: atomic,
      variables: atomic,
    },
    NamedRuleWithOperations: {
      '': atomicStruct,
      apiGroups: atomic,
      apiVersions: atomic,
      operations: atomic,
      resourceNames: atomic,
      resources: atomic,
    },
    ParamKind: {
      '': atomicStruct,
    },
    ParamRef: {
      '': atomicStruct,
    },
    Variable: {
      '': atomicStruct,
    },
  },
  `
  ApplyConfiguration JSONPatch MatchCondition MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
  MutatingAdmissionPolicyBindingList MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList Mutation
  `,
)
