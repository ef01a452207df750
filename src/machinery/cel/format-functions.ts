/** Formats of names: `format.dns1123Label().validate(…)` is nothing, or a list of what is wrong. */
import { isLabelValue, isQualifiedName } from '../labels.ts'
import { isDns1035Label, isDnsLabel, isDnsSubdomain } from '../names.ts'
import type { Functions } from './functions.ts'
import { Opaque, Optional } from './values.ts'

type Check = (text: string) => string[]
const type = 'kubernetes.NamedFormat'

const formats: Readonly<Record<string, Check>> = {
  dns1123Label: isDnsLabel,
  dns1123Subdomain: isDnsSubdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  labelValue: isLabelValue,
  uuid: (text) => (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text) ? [] : ['does not match the UUID format']),
  date: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? [] : ['invalid date']),
  datetime: (text) => (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)) ? [] : ['invalid datetime']),
  uri: (text) => (URL.canParse(text) || text.startsWith('/') ? [] : ['invalid URI']),
}

const made = (name: string) => new Opaque(type, formats[name], name)

export const formatFunctions: Functions = {
  ...Object.fromEntries(Object.keys(formats).map((name) => [`format.${name}`, () => made(name)])),
  'format.named': (name) => (typeof name === 'string' ? (name in formats ? new Optional(made(name)) : new Optional()) : undefined),
  '.validate'(format, text) {
    if (!(format instanceof Opaque) || format.type !== type || typeof text !== 'string') return undefined
    const wrong = (format.value as Check)(text)
    return wrong.length > 0 ? new Optional(wrong) : new Optional()
  },
}
