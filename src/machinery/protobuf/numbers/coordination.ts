/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const coordination: Readonly<Record<string, string>> = {
  V1Lease: 'metadata 1, spec 2',
  V1LeaseSpec: 'holderIdentity 1, leaseDurationSeconds 2, acquireTime 3, renewTime 4, leaseTransitions 5, strategy 6, preferredHolder 7',
}
