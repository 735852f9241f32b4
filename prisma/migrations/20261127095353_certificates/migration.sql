-- AlterTable
ALTER TABLE "domains" ADD COLUMN     "hstsSeconds" INTEGER,
ADD COLUMN     "httpsRedirect" BOOLEAN;

-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "acme" JSONB;

-- CreateTable
CREATE TABLE "certificates" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "challenge" TEXT,
    "dnsProvider" JSONB,
    "status" TEXT NOT NULL,
    "chain" TEXT,
    "sealedKey" TEXT,
    "fingerprint" TEXT,
    "notBefore" TIMESTAMP(3),
    "expiresAt" TIMESTAMP(3),
    "steps" JSONB NOT NULL DEFAULT '[]',
    "order" JSONB,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMP(3),
    "workingHost" TEXT,
    "workingUntil" TIMESTAMP(3),
    "warnedDays" INTEGER,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "acme_challenges" (
    "token" TEXT NOT NULL,
    "certificateId" TEXT NOT NULL,
    "keyAuthorization" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "acme_challenges_pkey" PRIMARY KEY ("token")
);

-- CreateTable
CREATE TABLE "certificate_authorities" (
    "id" TEXT NOT NULL DEFAULT 'internal',
    "certificate" TEXT NOT NULL,
    "sealedKey" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificate_authorities_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "certificates_name_key" ON "certificates"("name");

-- CreateIndex
CREATE INDEX "certificates_teamId_idx" ON "certificates"("teamId");

-- CreateIndex
CREATE INDEX "certificates_dueAt_idx" ON "certificates"("dueAt");

-- CreateIndex
CREATE INDEX "acme_challenges_certificateId_idx" ON "acme_challenges"("certificateId");
