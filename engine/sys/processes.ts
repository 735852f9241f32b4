import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const killedWithinMs = 10_000

/** When a process started, in ticks since boot: with the pid it names a process for good. Null if there is none. */
export function processStart(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // State Z or X: it has ended, only nobody has asked for its exit code yet.
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

/** Sends a signal to exactly this process; false when it is gone. */
export function signalProcess(pid: number, start: string, signal: NodeJS.Signals | number): boolean {
  if (processStart(pid) !== start) return false
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Command line of a process; empty if it has none or is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}

/** Kills every process whose command line passes the test, but never our own, until there is none. */
export async function killProcesses(test: (argv: string[]) => boolean): Promise<void> {
  const until = Date.now() + killedWithinMs
  for (;;) {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && test(commandLine(pid)) && processStart(pid) !== null)
    if (pids.length === 0 || Date.now() > until) return
    for (const pid of pids) signalProcess(pid, processStart(pid) ?? '', 'SIGKILL')
    await sleep(5)
  }
}

/** Where something is mounted, as a process sees it; nothing once it has ended. Source: proc_pid_mountinfo(5). */
export function mountPointsOf(pid: number): Buffer[] {
  try {
    const lines = readFileSync(`/proc/${pid}/mountinfo`, 'latin1').split('\n').slice(0, -1)
    return lines.map((line) => {
      const escaped = line.split(' ')[4] ?? ''
      const path = escaped.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
      return Buffer.from(path, 'latin1')
    })
  } catch {
    return []
  }
}
