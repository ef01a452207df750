import type { V1LabelSelector, V1PodTemplateSpec } from '../../machinery/schema/generated/types.ts'
import { selectorText, text, wide } from '../columns.ts'
import type { Column } from '../resource.ts'

interface Templated {
  spec?: { template?: V1PodTemplateSpec; selector?: V1LabelSelector }
}

const containers = (object: Templated) => object.spec?.template?.spec?.containers ?? []

/** What the template runs, for `-o wide`. */
export const containersColumn: Column<Templated> = wide(
  text('Containers', (object) =>
    containers(object)
      .map((one) => one.name)
      .join(','),
  ),
)
export const imagesColumn: Column<Templated> = wide(
  text('Images', (object) =>
    containers(object)
      .map((one) => one.image ?? '')
      .join(','),
  ),
)
export const selectorColumn: Column<Templated> = wide(text('Selector', (object) => selectorText(object.spec?.selector)))
