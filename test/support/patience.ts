/** How many times longer than usual everything may take: ten where each instruction is translated (test/vm). */
export const patience = Number(process.env.BERTH_TEST_PATIENCE ?? 1)
