'use client'

import { useTranslations } from 'next-intl'
import { cn } from '../../_ui/cn.ts'

const levels = ['short', 'fair', 'good', 'strong'] as const
const colours = ['bg-danger', 'bg-warning', 'bg-success', 'bg-success'] as const

/** A hint, not a gate: length counts for most, as in NIST SP 800-63B; the server has the last word. */
function levelOf(password: string): 0 | 1 | 2 | 3 {
  if (password.length < 12) return 0
  const different = new Set(password).size
  if (different < 6) return 1
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length
  if (password.length >= 20 || (password.length >= 16 && kinds >= 3)) return 3
  return kinds >= 2 ? 2 : 1
}

export function PasswordStrength({ password }: { password: string }) {
  const t = useTranslations('setup')
  const level = levelOf(password)
  return (
    <div className="mt-2 flex items-center gap-3">
      <div aria-hidden className="flex flex-1 gap-1">
        {levels.map((name, index) => (
          <span
            key={name}
            className={cn(
              'h-1 flex-1 rounded-full',
              password !== '' && index <= level ? colours[level] : 'bg-border',
            )}
          />
        ))}
      </div>
      <span role="status" className="text-muted text-xs">
        {password === '' ? t('strength.hint') : t(`strength.${levels[level]}`)}
      </span>
    </div>
  )
}
