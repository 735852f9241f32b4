/** `berth bench`: Berth and its peers side by side on this machine. */
import { formatReport } from '../../bench/report.ts'
import { benchNames, loadBench, runBench } from '../../bench/run-bench.ts'
import { CommandError, keepOutputForPrograms, paint, say } from '../say.ts'

export interface BenchOptions {
  json?: boolean
  runs: number
  cache?: string
}

export async function bench(name: string | undefined, options: BenchOptions): Promise<void> {
  if (name === undefined) {
    for (const each of benchNames()) say(`${each.padEnd(10)}${(await loadBench(each)).description}`)
    return
  }
  const found = await loadBench(name)
  if (process.getuid?.() !== 0)
    throw new CommandError(
      `A bench starts containers and daemons, which only root may: sudo ./berth bench ${name}`,
    )
  if (options.json) keepOutputForPrograms()
  const note = (text: string) => say(paint('dim', `  ${text}`))
  const report = await runBench(name, found, { runs: options.runs, cache: options.cache, note })
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else say(`\n${formatReport(report)}`)
}
