/** For the plain selectors of Services and ReplicationControllers. */
export function equalityMatches(selector: Record<string, string>, labels: Record<string, string> | undefined): boolean {
  return Object.entries(selector).every(([name, value]) => labels?.[name] === value)
}
