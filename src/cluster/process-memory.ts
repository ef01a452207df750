/** How the Node processes of a cluster use memory. What was measured, and against what: docs/benchmarks.md. */

/**
 * Most of what requests allocate is dead before so much was allocated. A heap is collected when it is 1.65 times what was alive
 * in it: where there is much memory V8 would wait until it is four times as large, and most of it dead.
 */
export const serverHeapFlags: readonly string[] = ['--max-semi-space-size=16', '--heap-growing-percent=65']

/** A node has few objects, and lets them go soon. */
export const nodeHeapFlags: readonly string[] = ['--max-semi-space-size=2']

/** glibc would give each thread a heap of its own, which keeps what it once took; the threads seldom allocate at the same time. */
export const mallocEnvironment = { MALLOC_ARENA_MAX: '1' }
