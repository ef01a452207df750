import { apiPackage } from './api-package.ts'

export const eventsV1 = apiPackage(
  'io.k8s.api.events.v1',
  {},
  `
  Event EventList EventSeries
  `,
)
