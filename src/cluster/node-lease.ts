/** How nodes tell that they live. */
export interface NodeLease {
  durationSeconds: number
  renewSeconds: number
}

/** Upstream's for the grace that it is patient for when nobody says otherwise: 40 of 50 seconds. */
const longestSeconds = 40
const shareOfGrace = 0.8

/** For a control plane that waits so many seconds for a node: renewed four times in the lease's duration, as upstream. */
export function leaseFor(graceSeconds: number | undefined): NodeLease {
  const durationSeconds = graceSeconds === undefined ? longestSeconds : Math.min(longestSeconds, Math.max(1, Math.floor(graceSeconds * shareOfGrace)))
  return { durationSeconds, renewSeconds: durationSeconds / 4 }
}

/** Of the grace that may be asked for. */
export const shortestGraceSeconds = 2
/** Machines that join keep upstream's lease, whatever the cluster they join is told: shorter than this, and they would be given up between two renewals. */
export const shortestGraceOfJoined = 15
