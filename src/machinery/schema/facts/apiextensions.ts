import { apiPackage, atomic, keyedBy, mergedBy } from './api-package.ts'

export const apiextensionsV1 = apiPackage(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  {
    CustomResourceDefinitionNames: {
      categories: atomic,
      shortNames: atomic,
    },
    CustomResourceDefinitionSpec: {
      versions: atomic,
    },
    CustomResourceDefinitionStatus: {
      conditions: keyedBy('type'),
      storedVersions: atomic,
    },
    CustomResourceDefinitionVersion: {
      additionalPrinterColumns: atomic,
      selectableFields: atomic,
    },
    CustomResourceSubresources: {
      status: { raw: 'CustomResourceSubresourceStatus' },
    },
    JSONSchemaProps: {
      additionalItems: { raw: 'JSONSchemaPropsOrBool' },
      additionalProperties: { raw: 'JSONSchemaPropsOrBool' },
      allOf: atomic,
      anyOf: atomic,
      default: { raw: 'JSON' },
      dependencies: { raw: 'JSONSchemaPropsOrStringArray' },
      enum: { list: 'atomic', raw: 'JSON' },
      example: { raw: 'JSON' },
      items: { raw: 'JSONSchemaPropsOrArray' },
      oneOf: atomic,
      required: atomic,
      'x-kubernetes-list-map-keys': atomic,
      'x-kubernetes-validations': mergedBy('rule'),
    },
    WebhookConversion: {
      conversionReviewVersions: atomic,
    },
  },
  `
  CustomResourceColumnDefinition CustomResourceConversion CustomResourceDefinition CustomResourceDefinitionCondition
  CustomResourceDefinitionList CustomResourceSubresourceScale CustomResourceValidation ExternalDocumentation SelectableField
  ServiceReference ValidationRule WebhookClientConfig
  `,
)
