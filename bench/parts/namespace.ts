import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'

/** A network namespace for daemons that would change the machine's own firewall and routes. Answers with its name. */
export async function openNamespace({
  defer,
  signal,
}: Pick<BenchContext, 'defer' | 'signal'>): Promise<string> {
  const name = `berth-bench-${process.pid}`
  defer(() => run(['ip', 'netns', 'delete', name]))
  await run(['ip', 'netns', 'add', name], { signal })
  await run(['ip', '-n', name, 'link', 'set', 'lo', 'up'], { signal })
  return name
}
