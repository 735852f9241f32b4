import type { LogLimits } from './containers.ts'

const defaultLog: Required<LogLimits> = { maxBytes: 10 * 2 ** 20, files: 5 }
const leastFullBytes = 2 ** 20

/** With all that was left out. */
export const wholeLog = (limits: LogLimits = {}): Required<LogLimits> => ({ ...defaultLog, ...limits })

/** The size at which a monitor that no engine looks after begins its file anew: all that would be kept of it. */
export const fullBytes = ({ maxBytes, files }: Required<LogLimits>): number =>
  Math.max(leastFullBytes, maxBytes * files)
