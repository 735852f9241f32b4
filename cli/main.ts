/** The `berth` command. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { addAppCommands } from './app/command.ts'
import { CommandError } from './say.ts'

function number(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number, ${least}–${most}.`)
  }
}

const program = new Command('berth')
  .description('Container hosting on your own Linux hosts.')
  .showHelpAfterError()
  // What follows the name of a command belongs to it: `engine exec NAME sh -c …`.
  .enablePositionalOptions()

/** A command about one installation. Its code is loaded when it is called: the supervisor keeps what it needs alone. */
function command(name: string, description: string, parent = program): Command {
  return parent
    .command(name)
    .description(description)
    .option('--home <dir>', 'folder that holds all state (default: /var/lib/berth, or BERTH_HOME)')
}

command('up', 'set up what is missing, start the platform, deploy the welcome app')
  .option('--port <n>', 'public port (default: 7080)', number(1, 65_535))
  .option(
    '--https-port <n>',
    'public port for HTTPS (default: 7443, beside port 80: 443); 0: none',
    number(0, 65_535),
  )
  .option('--domain <name>', 'domain whose names lead to this host (default: names end in .localhost)')
  .option(
    '--own-https',
    "Berth's own links and cookies by HTTPS; who asks for its pages by HTTP is sent there",
  )
  .option('--no-own-https', 'by HTTP again')
  .option('--detach', 'go on in the background once everything answers')
  .addOption(new Option('--background', 'its output is a log').hideHelp())
  .addOption(new Option('--prepared', 'the background process of --detach').hideHelp())
  .action(async (options) => (await import('./commands/up.ts')).up(options))
command('down', 'stop the platform; apps run on')
  .option('--apps', 'stop the apps too')
  .action(async (options) => (await import('./commands/down.ts')).down(options))
command('restart', 'start the platform anew, after an upgrade; apps are served on').action(async (options) =>
  (await import('./commands/restart.ts')).restart(options),
)
command('status', 'parts, processes and memory')
  .option('--json', 'for programs')
  .action(async (options) => (await import('./commands/status.ts')).status(options))
command('logs', "an app's log, or the parts' logs")
  .argument('[name]', 'TEAM/PROJECT/APP; or a part: berth, postgres, redis, registry, web, worker or edge')
  .option('-f, --follow', 'go on with new lines; after a lost connection, where it stopped')
  .option('-n, --lines <n>', 'how many of the last lines (default: 100)', number(0, 1_000_000))
  .option('--since <time>', 'of an app: from 2026-05-01T12:00:00Z on, or of the last 15m, 2h, 3d')
  .option('--until <time>', 'of an app: up to then')
  .option('--process <name>', 'of an app: of this process, or release or run')
  .option('--replica <n>', 'of an app: of this replica, counted from 1', number(1, 10_000))
  .option('--deployment <number>', 'of an app: of this deployment')
  .addOption(new Option('--stream <name>', 'of an app: of this stream').choices(['stdout', 'stderr']))
  .option(
    '--grep <search>',
    'of an app: what matches, as in the dashboard: timeout "a phrase" /a.*b/i level:error',
  )
  .option('--json', 'of an app: each line as JSON')
  .option('--url <address>', 'of the Berth that runs the app (default: where you signed in, or BERTH_URL)')
  .action(async (name, options) => {
    return name?.includes('/') || name?.startsWith('app_')
      ? (await import('./commands/app-logs.ts')).appLogs(name, options)
      : (await import('./commands/logs.ts')).logs(name, { lines: 100, ...options })
  })
command('doctor', 'check this host, and say for each problem what to do')
  .option('--json', 'for programs')
  .action(async (options) => (await import('./commands/doctor.ts')).doctor(options))

program
  .command('login')
  .description('keep a token, for the commands that speak for you')
  .argument('<address>', 'of the Berth, such as https://berth.example.org')
  .option('--token-stdin', 'read the token from standard input')
  .action(async (address, options) => (await import('./commands/login.ts')).login(address, options))
program
  .command('logout')
  .description('forget the token that login kept')
  .action(async () => (await import('./commands/login.ts')).logout())
program
  .command('whoami')
  .description('whom you speak for, and where')
  .option('--url <address>', 'of the Berth (default: where you signed in, or BERTH_URL)')
  .action(async (options) => (await import('./commands/login.ts')).whoami(options))
const many = (value: string, before: string[] = []) => [...before, value]
program
  .command('deploy')
  .description('send a folder of source, build it, deploy it, and follow that to its end')
  .argument('[folder]', 'what is sent, without what .gitignore and .dockerignore leave out', '.')
  .option('--app <name>', 'app, project/app or team/project/app (default: BERTH_APP, or the only one)')
  .option('--url <address>', 'of the Berth (default: where you signed in, or BERTH_URL)')
  .option('--create', 'make the app where there is none')
  .option('--folder <path>', 'the part of the folder that is built')
  .option('--dockerfile <path>', 'seen from that part')
  .option('--target <stage>', 'the stage to build')
  .option(
    '--build-arg <name=value>',
    'argument of the build; a name alone takes the environment’s value',
    many,
  )
  .option('--no-follow', 'do not wait for the end')
  .option('--no-gitignore', 'send also what .gitignore leaves out')
  .action(async (folder, options) => (await import('./commands/deploy.ts')).deploy(folder, options))
program
  .command('exec')
  .description('run a command, or a shell, in a running container of an app')
  .argument('<app>', 'app, project/app or team/project/app')
  .argument('[command...]', 'what to run; without it, a shell in a terminal')
  .option('-i, --interactive', 'pass on standard input')
  .option('-t, --tty', 'give it a terminal')
  .option('-u, --user <name>', 'name or number, with :group or without')
  .option('--debug', 'beside the container, with tools of Berth’s own, for an image without a shell')
  .option('--process <name>', 'of which process of the app (default: web)')
  .option(
    '--replica <n>',
    'in which replica, counted from 1 (default: the first that runs)',
    number(1, 10_000),
  )
  .option('--url <address>', 'of the Berth (default: where you signed in, or BERTH_URL)')
  .passThroughOptions()
  .action(async (app, argv, options) => (await import('./commands/exec.ts')).exec(app, argv, options))

program
  .command('run')
  .description('run a command once, or a shell, in a new container of an app')
  .argument('<app>', 'app, project/app or team/project/app')
  .argument('[command...]', 'what to run; without it, a shell in a terminal')
  .option('-d, --detach', 'do not wait for it; its log is in the dashboard and the API')
  .option('-i, --interactive', 'pass on standard input')
  .option('-t, --tty', 'give it a terminal')
  .option('--limit <seconds>', 'how long it may take (default: 3600)')
  .option('--url <address>', 'of the Berth (default: where you signed in, or BERTH_URL)')
  .passThroughOptions()
  .action(async (app, argv, options) => (await import('./commands/run.ts')).run(app, argv, options))

addAppCommands(program)

const token = program.command('token').description('tokens for the API')
command('create', 'make a token for a person or a team; it is shown once', token)
  .option('--email <address>', 'the person')
  .option('--team <slug>', 'the team')
  .option('--name <name>', 'what it is for', 'command line')
  .option('--role <role>', 'the most that it may: viewer, developer, admin or owner', 'developer')
  .option(
    '--preset <preset>',
    'all, read, or deploy (for CI: it pushes and deploys images, and does nothing else)',
  )
  .option('--action <action...>', 'in place of a preset, such as deployment.create or app.*')
  .option('--project <slug...>', 'only these projects of the team')
  .option('--app <project/app...>', 'only these apps of the team')
  .option('--repository <name...>', 'only these image repositories of the team')
  .option('--expires <days>', 'how long it works', number(1, 3_650))
  .option('--from <network...>', 'where it may come from, such as 203.0.113.0/24')
  .action(async (options) => (await import('./commands/token.ts')).createToken(options))

command('quota', 'what a team uses and may use; with options, changes what it may')
  .argument('<team>', 'slug of the team')
  .option('--apps <n>', 'how many apps, or none for no limit')
  .option('--memory <GiB>', 'of all replicas of running apps together')
  .option('--cpus <n>', 'processors, counted the same way')
  .option('--disk <GiB>', 'volumes and images')
  .option('--logs <GiB>', 'of all apps; the oldest lines go')
  .option('--builds <n>', 'builds at once')
  .option('--ports <n>', 'ports of hosts')
  .action(async (team, options) => (await import('./commands/quota.ts')).quota(team, options))

const registry = program.command('registry').description("Berth's own image registry on this host")
command('status', 'how the last collection of garbage went', registry)
  .option('--json', 'for programs')
  .action(async (options) => (await import('./commands/registry.ts')).registryStatus(options))
command('collect', 'free now what no image needs, as every hour', registry)
  .option('--detach', 'ask for it, and do not wait')
  .option('--json', 'for programs')
  .action(async (options) => (await import('./commands/registry.ts')).collectRegistry(options))

// Its many commands are loaded when one of them is called.
if (process.argv[2] === 'engine') {
  const [{ engineCommand }, { shortened }] = await Promise.all([
    import('./engine/command.ts'),
    import('./engine/longer-names.ts'),
  ])
  program.addCommand(engineCommand())
  process.argv = [...process.argv.slice(0, 3), ...shortened(process.argv.slice(3))]
} else
  program.command('engine').description('the container engine of this host: images, containers, networks')

// What the services of docker-compose.yml run.
program
  .command('service', { hidden: true })
  .argument('<name>', 'home, migrate, web, worker or welcome')
  .action(async (name) => (await import('./commands/service.ts')).service(name))
program
  .command('bench')
  .description('measure Berth and its peers side by side on this machine')
  .argument('[name]', 'which bench; without it, all are named')
  .option('--json', 'for programs')
  .option('--runs <n>', 'turns of each contestant', number(1, 1_000), 5)
  .option('--cache <dir>', 'where the images that it makes are kept (default: in the temporary folder)')
  .action(async (name, options) => (await import('./commands/bench.ts')).bench(name, options))
program
  .command('test')
  .description('format, lint, types, the dependency rule, and all tests')
  .action(async () => (await import('./commands/test.ts')).test())

try {
  await program.parseAsync()
} catch (error) {
  const text =
    error instanceof CommandError ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`berth: ${text}\n`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 1
}
// What a slow reader has not taken yet would be lost by the exit.
await Promise.all(
  [process.stdout, process.stderr].map((out) => new Promise((resolve) => out.write('', resolve))),
)
// Timers of libraries must not keep a finished command waiting.
process.exit()
