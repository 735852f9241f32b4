/** Processes that are begun before anybody knows what they are to run: shells that wait for one line. Pure. */

/** Reads no further than that line, so that what comes behind it is the command's own. */
export const waitCommand = ['sh', '-c', 'IFS= read -r go && eval "$(echo "$go" | base64 -d)"']

export interface GoSpec {
  command: readonly string[]
  /** Names are those of shell variables. */
  environment?: Record<string, string>
  workingDir: string
  /** Whether it reads what comes behind the line; otherwise it finds nothing there. */
  input?: boolean
}

/** What has a shell that waits become a command. */
export function goLine({ command, environment = {}, workingDir, input }: GoSpec): string {
  const script = [
    `cd ${quoted(workingDir)} || exit`,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `exec ${command.map(quoted).join(' ')}${input === true ? '' : ' </dev/null'}`,
  ]
  return `${Buffer.from(script.join('\n')).toString('base64')}\n`
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
