/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const scheduling: Readonly<Record<string, string>> = {
  V1PriorityClass: 'metadata 1, value 2, globalDefault 3, description 4, preemptionPolicy 5',
}
