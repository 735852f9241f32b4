/** Docker's longer names of commands, by the kind of thing that they are about: `image ls` is `images`. */

const as = (...names: string[]) => Object.fromEntries(names.map((name) => [name, [name]]))

export const longerNames: Record<string, Record<string, string[]>> = {
  image: {
    ...as('pull', 'push', 'tag', 'history', 'save', 'load', 'import', 'prune'),
    ...{ ls: ['images'], list: ['images'], rm: ['rmi'], remove: ['rmi'] },
    inspect: ['inspect', '--type', 'image'],
  },
  container: {
    ...as('run', 'create', 'start', 'stop', 'restart', 'kill', 'pause', 'unpause', 'rename', 'update'),
    ...as('commit', 'wait', 'logs', 'attach', 'exec', 'cp', 'diff', 'top', 'stats', 'port', 'rm'),
    ...{ ls: ['ps'], list: ['ps'], ps: ['ps'], remove: ['rm'] },
    inspect: ['inspect', '--type', 'container'],
  },
  system: as('df', 'prune', 'info', 'events'),
}

/** Words behind `berth engine`, with a longer name made the short one; anything else stays as it is. */
export function shortened(words: string[]): string[] {
  const [kind = '', name = '', ...rest] = words
  const names = Object.hasOwn(longerNames, kind) ? longerNames[kind] : undefined
  const short = names !== undefined && Object.hasOwn(names, name) ? names[name] : undefined
  return short === undefined ? words : [...short, ...rest]
}
