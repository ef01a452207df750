/** How much longer than usual tests wait for what must come: a machine may be many times slower than most. */
export const patience = Number(process.env.SKIFF_TEST_PATIENCE ?? 1)
