'use client'

import { useLocale, useTranslations } from 'next-intl'
import type { Problem } from '../_actions/result.ts'
import { useRetryText } from './use-retry-text.ts'

/** What platform/model says of fields, in English, and our keys for the same in every language. */
const fieldPatterns = [
  [/^must not be empty$/, 'empty'],
  [/^must be at most ([\d,]+) characters$/, 'tooLong'],
  [/^must be at least ([\d,]+) characters$/, 'tooShort'],
  [/^must be at most ([\d,]+) variables$/, 'tooMany'],
  [/^must be an e-mail address$/, 'email'],
  [/^must be 1–65535$/, 'port'],
  [/^must be (\d+)–(\d+)$/, 'range'],
  [/^must be (\d+)–(\d+) ms$/, 'seconds'],
  [/^must be an image reference/, 'image'],
  [/^must start with \/ and have no spaces$/, 'path'],
  [/^must be at least 8 MiB$/, 'memory'],
  [/^must be letters, digits and underscores/, 'variableName'],
  [/^must not start with BERTH_/, 'reservedVariable'],
  [/^must be lower-case letters/, 'slug'],
  [/^must not contain control characters$/, 'controlCharacters'],
  [/^must not contain a NUL character$/, 'nul'],
  [/^is taken$/, 'taken'],
  [/^is too easy to guess/, 'guessable'],
  [/^is not your current password$/, 'notYourPassword'],
  [/^is not right, or was used before$/, 'wrongCode'],
  [/^must be an address or a network/, 'network'],
  [/^must be the name of a repository/, 'repository'],
  [/^must be at least 0$/, 'tooSmall'],
  [/^Too small/, 'tooSmall'],
  [/^Too big/, 'tooBig'],
  [/^Invalid input/, 'invalid'],
  [/^is kept for Berth itself$/, 'reserved'],
  [/^is needed for somebody new$/, 'newPassword'],
  [/^must be 1–64 letters/, 'accessName'],
  [/^has a name twice$/, 'nameTwice'],
  [/^is needed/, 'empty'],
  [/^must be a port/, 'port'],
  [/^must be domains/, 'domains'],
  [/^must be a (?:name alone|name without|name, not|domain name)/, 'domainName'],
  [/^must have a dot/, 'domainDot'],
  [/^may have a \* only/, 'domainStar'],
  [/^is a public suffix/, 'domainSuffix'],
  [/^is the name of Berth itself/, 'domainOwn'],
  [/^may be one part below (\S+),/, 'domainBelow'],
  [/^is used by another team|which another team uses$/, 'domainOtherTeam'],
  [/^leads to the app (.+); remove it/, 'domainOtherApp'],
  [/^is there already, with this path$/, 'domainThere'],
  [/^must be a path such as|^must not have \. or/, 'pathPrefix'],
  [/^must be a name, or an address|^must not have a path/, 'domainTarget'],
  [/^must be another name/, 'domainSelf'],
  [/^needs visitors to be sent to HTTPS/, 'domainHsts'],
  [/^must be (\d+)–(\d+), the ports that this installation/, 'portRange'],
  [/^is taken by the app (.+): choose another one/, 'portOtherApp'],
  [/^is taken by an app of another team/, 'portOtherTeam'],
  [/^is taken by a program that runs on the host/, 'portProgram'],
  [/^is used by Berth itself/, 'portOwn'],
  [/^leads to this app already/, 'portThere'],
  [/^has no free one left in (\S+)/, 'portNone'],
  [/^must be IPv4/, 'portSource'],
  [/^is of another domain$/, 'otherDomain'],
  [/^must be a host name/, 'invalid'],
  [/^must be PEM certificates, its own first/, 'certPem'],
  [/^must be at most (\d+) certificates$/, 'certMany'],
  [/^must not hold the key/, 'certHoldsKey'],
  [/^can't be read: certificate (\d+)/, 'certDamaged'],
  [/^has its own certificate at place (\d+)/, 'certFirst'],
  [/^is not in order: certificate (\d+) was not signed by certificate (\d+)/, 'certOrder'],
  [/^is protected by a passphrase/, 'keyEncrypted'],
  [/^must be a private key in PEM/, 'keyPem'],
  [/^can't be read: it is damaged/, 'keyDamaged'],
  [/^does not belong to the certificate/, 'keyOther'],
  [/is too weak|must be of RSA|a hash that browsers refuse/, 'certWeak'],
  [/^is not for servers/, 'certUse'],
  [/^(?:is for .+, and|names no host, so) not (?:for )?(\S+)$/, 'certName'],
  [/^has ended: certificate (\d+) was good until (\S+)/, 'certEnded'],
  [/^is not good yet: certificate (\d+) is from (\S+)/, 'certEarly'],
  [/^must be agreed to/, 'termsAgreed'],
  [/^must be PEM/, 'certificates'],
  [/^must be an address such as syslog/, 'syslogAddress'],
  [/^must be an address such as https/, 'webAddress'],
  [/^must be an address without/, 'webAddress'],
  [/^must be an absolute path such as (\S+)$/, 'absolutePath'],
  [/^must not be in \/proc/, 'kernelPath'],
  [/^is there twice$/, 'twice'],
  [/^must be an https:\/\/ or ssh:\/\/ address/, 'gitAddress'],
  [/^can't hold a password or a token/, 'gitPassword'],
  [/^must name (?:a host|the user|a repository)/, 'gitAddress'],
  [/^is at an address of this machine/, 'gitPrivate'],
  [/^is at an IPv6 address/, 'gitIpv6'],
  [/^must be the name of a branch or a tag|^must be the whole commit/, 'gitRef'],
  [/^must be a public key of the host/, 'gitHostKey'],
  [/^must be certificates in PEM form/, 'certificates'],
  [/^must be at least 60$/, 'gitPoll'],
  [/^must be a whole number of seconds, from 60 to \d+ \((\d+) minutes\)$/, 'alertTime'],
  [/^must be a whole number from (\d+) to (\d+)$/, 'between'],
  [/^must be five fields/, 'schedule'],
  [/^never comes/, 'neverComes'],
  [/^must be a time zone/, 'timeZone'],
  [/^must be at least a second$/, 'atLeastSecond'],
  [/^must be at most a day$/, 'atMostDay'],
  [/^refers to itself: (.+)$/, 'refersToItself'],
  [/^refers to the app (\S+), which is not there/, 'refersToApp'],
  [/^refers to (\S+), which does not exist$/, 'refersToNothing'],
  [/^becomes longer than ([\d,]+) characters/, 'tooLongWhole'],
  [/^is in the way of .+, whose file is (.+)$/, 'inTheWay'],
  [/^is in the volume at (.+)$/, 'inVolume'],
  [/^is in the way of the volume (.+)$/, 'volumeInTheWay'],
  [/^holds the file of the variable (.+)$/, 'volumeHoldsFile'],
  [/^must be at least (\d+ MiB): so much/, 'volumeTooSmall'],
  [/^must be at (?:least 16 MiB|most 16 TiB)$/, 'volumeSize'],
  [/^must be 1, since .+ the volume (.+)$/, 'oneReplica'],
  [/^has lines that are no variables: (.+)$/, 'badLines'],
  [/^must be a tag such as/, 'followTag'],
  [/^must be a range of versions/, 'followVersion'],
  [/^must be a tag in which/, 'followPattern'],
  [/^can't be a pattern: a registry elsewhere/, 'followElsewhere'],
] as const

/** Words for what an action refused. The platform speaks English; in other languages its code speaks. */
export function useProblemText() {
  const locale = useLocale()
  const t = useTranslations('problem')
  const tField = useTranslations('fieldProblem')
  const retryText = useRetryText()

  function ofField(message: string): string {
    for (const [pattern, key] of fieldPatterns) {
      const match = pattern.exec(message)
      if (match === null) continue
      const [, limit = '', second = ''] = match
      // Forms ask for seconds.
      const shown = (text: string) => (key === 'seconds' ? String(Number(text) / 1_000) : text)
      return tField(key, { limit: shown(limit), second: shown(second) })
    }
    return locale === 'en'
      ? `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`
      : tField('other', { message })
  }

  return {
    of(problem: Problem): string {
      if (problem.code === 'rate-limited' && problem.retryAfterSeconds !== null)
        return retryText(problem.retryAfterSeconds)
      return locale === 'en' ? problem.message : t(problem.code)
    },
    /** What is wrong with the field at this path or, with a list, below it. */
    ofField(problem: Problem | null, path: string): string | undefined {
      const found = problem?.fields.find((field) => field.path === path)
      return found === undefined ? undefined : ofField(found.message)
    },
    words: ofField,
  }
}
