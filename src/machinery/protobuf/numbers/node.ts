/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const node: Readonly<Record<string, string>> = {
  V1Overhead: 'podFixed 1',
  V1RuntimeClass: 'metadata 1, handler 2, overhead 3, scheduling 4',
  V1Scheduling: 'nodeSelector 1, tolerations 2',
}
