/** One `WWW-Authenticate` challenge. Source: RFC 7235 §4.1. */
export interface Challenge {
  scheme: string
  parameters: Record<string, string>
}

/** All challenges of a header: quoted strings may hold commas, and a header may hold several challenges. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const token =
    /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|(?=\s|$))/gy
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const [, name = '', quoted, plain] = match
    if (quoted === undefined && plain === undefined) {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} })
    } else {
      const current = challenges.at(-1)
      if (current) current.parameters[name.toLowerCase()] = plain ?? (quoted ?? '').replace(/\\(.)/g, '$1')
    }
  }
  return challenges
}
