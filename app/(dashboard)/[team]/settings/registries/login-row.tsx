import { Container } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { RegistryLogin } from '@/platform/model/registry-logins.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { LoginMenu } from './login-menu.client.tsx'

export function LoginRow({ login, canManage }: { login: RegistryLogin; canManage: boolean }) {
  const t = useTranslations('registries')
  const { host, prefix, username, note, createdBy, checkedAt, problem, usedBy } = login
  return (
    <li className="flex items-start gap-3 px-5 py-3.5">
      <Container aria-hidden className="mt-1 size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-2">
          <span className="break-all font-medium font-mono text-[13px]">
            {prefix === '' ? host : `${host}/${prefix}`}
          </span>
          <Badge tone={problem === null ? 'success' : 'danger'}>
            {t(problem === null ? 'works' : 'fails')}
          </Badge>
        </div>
        <p className="break-words text-[13px] text-muted">
          {t('as', { username })}
          {note !== '' && ` · ${note}`}
        </p>
        {problem !== null && <p className="mt-1 break-words text-[13px] text-danger">{problem}</p>}
        <p className="mt-0.5 text-muted text-xs">
          {t('usedBy', { count: usedBy.length })}
          {usedBy.length > 0 && `: ${usedBy.map(({ name }) => name).join(', ')}`}
        </p>
        <p className="mt-0.5 text-muted text-xs">
          {t('addedBy', { name: createdBy })}
          {checkedAt !== null && (
            <>
              {' · '}
              {t('checked')} <RelativeTime at={checkedAt} />
            </>
          )}
        </p>
      </div>
      {canManage && <LoginMenu login={login} />}
    </li>
  )
}
