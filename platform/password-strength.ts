import { PlatformError } from './errors.ts'

/** As many guesses as nobody gets through our rate limits, nor quickly through a stolen argon2id hash. */
const leastGuessesLog10 = 8

type Estimator = (password: string, known: string[]) => { guessesLog10: number }

let loading: Promise<Estimator> | undefined

/** Tens of megabytes of dictionaries, which only whoever sets a password needs. */
async function load(): Promise<Estimator> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  return (password, known) => estimator.check(password, known)
}

/**
 * Throws `invalid` for one that is among the most common of known breaches, or is made of little more than those, rows
 * of keys, dates and what is known of the person (`known`: e-mail address and name).
 */
export async function requireStrongPassword(password: string, known: string[]): Promise<void> {
  loading ??= load()
  const estimate = await loading
  const words = known.flatMap((text) => [text, text.replace(/[\s.]+/g, ''), ...text.split(/[\s@.]+/)])
  if (
    estimate(
      password,
      [...words, 'berth'].filter((word) => word.length > 2),
    ).guessesLog10 >= leastGuessesLog10
  )
    return
  throw new PlatformError(
    'invalid',
    'password: is too easy to guess: take several words that do not belong together.',
    {
      fields: [
        { path: 'password', message: 'is too easy to guess: take several words that do not belong together' },
      ],
    },
  )
}
