/** Whether rules allow all that another rule allows. */
import type { V1PolicyRule } from '../../machinery/schema/generated/types.ts'

const among = (owned: readonly string[] | undefined, value: string) => owned !== undefined && (owned.includes('*') || owned.includes(value))

const resourceAmong = (owned: readonly string[] | undefined, value: string): boolean =>
  among(owned, value) || (value.includes('/') && owned?.includes(`*${value.slice(value.indexOf('/'))}`) === true)

const pathAmong = (owned: readonly string[] | undefined, value: string) =>
  among(owned, value) || (owned ?? []).some((one) => one.endsWith('*') && value.startsWith(one.slice(0, -1)))

/** One verb on one resource (or path) after another: a rule may be covered by several together. */
export function ruleIsCovered(wanted: V1PolicyRule, owned: readonly V1PolicyRule[]): boolean {
  const names = wanted.resourceNames?.length ? wanted.resourceNames : [undefined]
  const resources = wanted.verbs.every((verb) =>
    (wanted.apiGroups ?? []).every((group) =>
      (wanted.resources ?? []).every((resource) =>
        names.every((name) =>
          owned.some(
            (rule) =>
              among(rule.verbs, verb) &&
              among(rule.apiGroups, group) &&
              resourceAmong(rule.resources, resource) &&
              (!rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name))),
          ),
        ),
      ),
    ),
  )
  const paths = wanted.verbs.every((verb) =>
    (wanted.nonResourceURLs ?? []).every((path) => owned.some((rule) => among(rule.verbs, verb) && pathAmong(rule.nonResourceURLs, path))),
  )
  return resources && paths
}
