/** The `berth` command. */
import { Command, InvalidArgumentError } from 'commander'
import { doctor } from './commands/doctor.ts'
import { createToken, down, logs, status } from './commands/others.ts'
import { test } from './commands/test.ts'
import { up } from './commands/up.ts'
import { CommandError } from './say.ts'

function number(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`it must be a whole number, ${least}–${most}.`)
  }
}

const program = new Command('berth')
  .description('Container hosting on your own Linux hosts.')
  .showHelpAfterError()

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--home <dir>', 'folder that holds all state (default: /var/lib/berth, or BERTH_HOME)')
}

command('up', 'set up what is missing, start the platform, deploy the welcome app')
  .option('--port <n>', 'public port (default: 7080)', number(1, 65_535))
  .option('--domain <name>', 'domain whose names lead to this host (default: names end in .localhost)')
  .option('--detach', 'go on in the background once everything answers')
  .option('--prepared', 'used by --detach')
  .action(up)
command('down', 'stop the platform; apps run on').option('--apps', 'stop the apps too').action(down)
command('status', 'parts, processes and memory').option('--json', 'for programs').action(status)
command('logs', "the parts' logs")
  .argument('[part]', 'berth, postgres, redis, registry, web, worker or edge')
  .option('-f, --follow', 'go on with new lines')
  .option('-n, --lines <n>', 'lines of each (default: 100)', number(0, 1_000_000))
  .action(logs)
command('doctor', 'check this host, and say for each problem what to do')
  .option('--json', 'for programs')
  .action(doctor)
const token = program.command('token').description('tokens for the API')
token
  .command('create')
  .description('make a token for a person or a team; it is shown once')
  .option('--home <dir>', 'folder that holds all state')
  .option('--email <address>', 'the person')
  .option('--team <slug>', 'the team')
  .option('--name <name>', 'what it is for', 'command line')
  .action(createToken)
program.command('test').description('format, lint, types, the dependency rule, and all tests').action(test)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(
    `berth: ${error instanceof CommandError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exitCode = 1
}
// Timers of libraries must not keep a finished command waiting.
process.exit()
