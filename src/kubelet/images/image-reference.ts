/** Image references by the distribution specification: `[host[:port]/]path[:tag][@algorithm:hex]`. */

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const host =
  '(?:\\[[a-fA-F0-9:]+\\]|(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*)(?::[0-9]+)?'
const reference = new RegExp(
  `^((?:${host}/)?${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
)

/** With `:latest` where there is neither tag nor digest; undefined when it is no reference. */
export function withDefaultTag(image: string): string | undefined {
  const match = reference.exec(image)
  if (!match) return undefined
  return match[2] === undefined && match[3] === undefined ? `${image}:latest` : image
}

/** Why it is no reference, in upstream's words. */
export function referenceError(image: string): string {
  const lower = image.toLowerCase()
  const why = image !== lower && withDefaultTag(lower) !== undefined ? 'repository name must be lowercase' : 'invalid reference format'
  return `couldn't parse image name ${JSON.stringify(image)}: ${why === 'invalid reference format' ? why : `invalid reference format: ${why}`}`
}

/** The registry's host, `docker.io` where none is named. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io'
}
