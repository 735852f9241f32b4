/** The commands about what an app has around it. Their code is loaded when one of them is called. */
import { type Command, Option } from 'commander'

const many = (value: string, before: string[] = []) => [...before, value]
const ofApp = 'app, project/app or team/project/app'

/** Adds `ports`, `domains`, `variables`, `env`, `volumes`, `cron` and `processes`. */
export function addAppCommands(program: Command): void {
  addPorts(program)
  addDomains(program)
  addVariables(program)
  addVolumes(program)
  addCron(program)
  addProcesses(program)
}

type Verb = (verb: string, words: string) => Command

function group(
  program: Command,
  name: string,
  description: string,
  of: { name: string; words: string } = { name: 'app', words: ofApp },
): Verb {
  const parent = program.command(name).description(description)
  return (verb, words) =>
    parent
      .command(verb)
      .description(words)
      .argument(`<${of.name}>`, of.words)
      .option('--url <address>', 'of the Berth (default: where you signed in, or BERTH_URL)')
}

function addPorts(program: Command): void {
  const command = group(
    program,
    'ports',
    'ports of the host that lead to an app, for what does not speak HTTP',
  )
  command('list', 'which it has, where they lead, and who may connect')
    .option('--json', 'for programs')
    .action(async (app, options) => (await import('./ports.ts')).listPorts(app, options))
  command('add', 'give it one, from the next deployment on')
    .requiredOption('--to <port>', 'where the app listens')
    .option('--udp', 'by UDP, not TCP')
    .option('--port <port>', 'of the host (default: one that is free)')
    .option('--process <name>', 'of which process of the app (default: web)')
    .option(
      '--from <network>',
      'who may connect, such as 203.0.113.0/24; again for more (default: everybody)',
      many,
    )
    .action(async (app, options) => (await import('./ports.ts')).addPort(app, options))
  command('change', 'have one lead elsewhere, or let others connect')
    .argument('<name>', 'such as tcp-20001')
    .option('--to <port>', 'where the app listens')
    .option('--process <name>', 'of which process of the app')
    .option('--from <network>', 'who may connect; again for more', many)
    .option('--from-everybody', 'everybody may connect')
    .action(async (app, name, options) => (await import('./ports.ts')).changePort(app, name, options))
  command('remove', 'take one away, from the next deployment on')
    .argument('<name>', 'such as tcp-20001')
    .action(async (app, name, options) => (await import('./ports.ts')).removePort(app, name, options))
}

function addDomains(program: Command): void {
  const command = group(program, 'domains', 'names that an app is reached by')
  command('list', 'its names, and what is still missing for those that lead nowhere')
    .option('--json', 'for programs')
    .action(async (app, options) => (await import('./domains.ts')).listDomains(app, options))
  command('add', 'give it a name')
    .argument('<name>', 'such as shop.example.com, or *.example.com')
    .option('--path <path>', 'only requests below it')
    .option('--strip', 'the app gets paths without it')
    .option('--redirect <target>', 'send visitors on to another name or address')
    .action(async (app, name, options) => (await import('./domains.ts')).addDomain(app, name, options))
  command('check', 'look now whether a name is shown')
    .argument('<name>', 'one of its names, with its path if it has one')
    .action(async (app, name, options) => (await import('./domains.ts')).checkDomain(app, name, options))
  command('remove', 'take a name away')
    .argument('<name>', 'one of its names, with its path if it has one')
    .action(async (app, name, options) => (await import('./domains.ts')).removeDomain(app, name, options))
  command(
    'records',
    "have the records for a name's certificate set by themselves; secrets come by standard input",
  )
    .argument('<name>', 'one of its names')
    .option('--server <address>', 'name server that takes dynamic updates (RFC 2136)')
    .option('--key <name>', 'of the key that signs them; its secret is read from standard input')
    .addOption(
      new Option('--algorithm <name>', 'of the key').choices(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']),
    )
    .option('--zone <name>', 'default: what the server says')
    .option('--webhook <url>', 'that sets and clears them')
    .option('--token-stdin', 'read a token for it from standard input')
    .option('--by-hand', 'people set them again')
    .action(async (app, name, options) => (await import('./records.ts')).setRecords(app, name, options))
  command('off', 'it has no public name from the next deployment on').action(async (app, options) =>
    (await import('./domains.ts')).setPublic(app, false, options),
  )
  command('on', 'it has its names again from the next deployment on').action(async (app, options) =>
    (await import('./domains.ts')).setPublic(app, true, options),
  )
}

function addVariables(program: Command): void {
  const command = group(program, 'variables', 'variables and secrets of an app, for its next deployment')
  addVariableVerbs(command, 'app')
  const shared = group(program, 'env', 'variables and secrets that all apps of an environment share', {
    name: 'project',
    words: 'project or team/project',
  })
  addVariableVerbs(
    (verb, words) =>
      shared(verb, words).option('--environment <name>', 'of the project (default: production)'),
    'environment',
  )
}

function addVariableVerbs(command: Verb, owner: 'app' | 'environment'): void {
  command('list', 'names and values; secrets without theirs')
    .option('--json', 'for programs')
    .action(async (name, options) => (await import('./variables.ts')).listVariables(owner, name, options))
  command('set', 'set some')
    .argument(
      '<name=value...>',
      'a name alone takes the value from the environment; - as the value: standard input',
    )
    .option('--secret', 'write-only')
    .option('--file <path>', 'containers find it in this file')
    .action(async (name, given, options) =>
      (await import('./variables.ts')).setVariables(owner, name, given, options),
    )
  command('unset', 'remove some')
    .argument('<name...>', 'which')
    .action(async (name, names, options) =>
      (await import('./variables.ts')).unsetVariables(owner, name, names, options),
    )
  command('export', 'write them as a .env file; secrets as comments').action(async (name, options) =>
    (await import('./variables.ts')).exportVariables(owner, name, options),
  )
  command('import', 'set what a .env file says; what it does not name stays')
    .argument('[file]', 'default: standard input', '-')
    .option('--secret', 'what is new is write-only')
    .action(async (name, file, options) =>
      (await import('./variables.ts')).importVariables(owner, name, file, options),
    )
}

function addVolumes(program: Command): void {
  const command = group(program, 'volumes', 'what an app keeps, and snapshots of it')
  command('list', 'its volumes and their snapshots')
    .option('--json', 'for programs')
    .action(async (app, options) => (await import('./volumes.ts')).listVolumes(app, options))
  command('create', 'give it one, from the next deployment on')
    .argument('<name>', 'such as data')
    .requiredOption('--path <path>', 'where web finds it')
    .requiredOption('--size <GiB>', 'how large it is')
    .action(async (app, name, options) => (await import('./volumes.ts')).createVolume(app, name, options))
  command('delete', 'delete one; for seven days that can be undone')
    .argument('<name>', 'which')
    .action(async (app, name, options) => (await import('./volumes.ts')).deleteVolume(app, name, options))
  command('undelete', 'undo that')
    .argument('<name>', 'which')
    .action(async (app, name, options) => (await import('./volumes.ts')).undeleteVolume(app, name, options))
  command('snapshot', 'take a snapshot of one')
    .argument('<name>', 'which')
    .option('--note <text>', 'what it is for')
    .action(async (app, name, options) => (await import('./volumes.ts')).takeSnapshot(app, name, options))
  command('restore', 'put a snapshot in its place; the app is stopped meanwhile')
    .argument('<snapshot>', 'its id')
    .action(async (app, id, options) => (await import('./volumes.ts')).restoreSnapshot(app, id, options))
}

function addCron(program: Command): void {
  const command = group(program, 'cron', 'commands that an app runs by a schedule')
  command('list', 'its jobs, when they run next, and how they went last')
    .option('--json', 'for programs')
    .action(async (app, options) => (await import('./cron.ts')).listCronJobs(app, options))
  command('add', 'have a command run by a schedule')
    .argument('<name>', 'what it is called')
    .argument('<command...>', 'behind --')
    .requiredOption('--schedule <line>', 'five fields such as "30 2 * * 1-5", or @daily')
    .option('--time-zone <name>', 'such as Europe/Berlin (default: UTC)')
    .addOption(
      new Option('--concurrency <policy>', 'when the last run is not over (default: forbid)').choices([
        'allow',
        'forbid',
        'replace',
      ]),
    )
    .option('--limit <seconds>', 'how long a run may take (default: 3600)')
    .action(async (app, name, argv, options) =>
      (await import('./cron.ts')).addCronJob(app, name, argv, options),
    )
  for (const [verb, words] of [
    ['run', 'run one now'],
    ['pause', 'switch one off'],
    ['resume', 'switch one on'],
    ['remove', 'remove one'],
  ] as const)
    command(verb, words)
      .argument('<name>', 'which')
      .action(async (app, name, options) => (await import('./cron.ts')).onCronJob(verb, app, name, options))
}

function addProcesses(program: Command): void {
  const command = group(program, 'processes', 'what runs beside web from the same image')
  command('list', 'all of an app')
    .option('--json', 'for programs')
    .action(async (app, options) => (await import('./processes.ts')).listProcesses(app, options))
  command('set', 'make one, or replace it, from the next deployment on')
    .argument('<name>', 'such as worker')
    .argument('<command...>', "behind --; it comes after the image's entrypoint, or after --entrypoint")
    .option('--entrypoint <word>', "replaces the image's; again for more words", many)
    .option('--replicas <n>', 'how many (default: 1)')
    .option('--memory <MiB>', 'of each (default: 512)')
    .option('--cpus <n>', 'of each (default: 1)')
    .option('--grace <seconds>', 'how long one may take to end')
    .action(async (app, name, argv, options) =>
      (await import('./processes.ts')).setProcess(app, name, argv, options),
    )
  command('remove', 'the next deployment runs without it')
    .argument('<name>', 'which')
    .action(async (app, name, options) => (await import('./processes.ts')).removeProcess(app, name, options))
}
