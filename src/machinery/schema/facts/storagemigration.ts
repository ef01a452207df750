import { apiPackage, mergedBy } from './api-package.ts'

export const storagemigrationV1beta1 = apiPackage(
  'io.k8s.api.storagemigration.v1beta1',
  {
    StorageVersionMigrationStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  StorageVersionMigration StorageVersionMigrationList StorageVersionMigrationSpec
  `,
)
