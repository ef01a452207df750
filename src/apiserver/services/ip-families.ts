/** Which address families a Service may ask for: the cluster has one, IPv4. */
import { invalid } from '../../machinery/errors.ts'
import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import type { V1Service } from '../../machinery/schema/generated/types.ts'

/** Throws what a cluster of a single stack answers. */
export function checkFamilies({ metadata, spec }: V1Service): void {
  if (spec.type === 'ExternalName') return
  const families = spec.ipFamilies ?? []
  const errors: FieldError[] = []
  const headless = spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None'
  const selectorless = Object.keys(spec.selector ?? {}).length === 0
  if (spec.ipFamilyPolicy === 'SingleStack' && families.length === 2)
    errors.push(
      invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"),
    )
  // Whoever writes the endpoints of such a one may reach any family.
  else if (headless && selectorless) return
  else {
    if (spec.ipFamilyPolicy === 'RequireDualStack')
      errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
    families.forEach((family, index) => {
      if (family === 'IPv6') errors.push(invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
    })
  }
  if (errors.length > 0) throw invalid({ kind: 'Service', name: metadata.name }, errors)
}
