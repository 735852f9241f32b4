-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "size" JSONB;
