import { armor, Encrypter } from 'age-encryption';
import type { Secret } from '../../config/secret.ts';

/**
 * Encrypts a token to one age key, as armoured text: what leaves this process for a holder outside.
 * Made up afresh each time, so no two are alike.
 */
export async function sealFor(key: string, token: Secret): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(key);
  return armor.encode(await encrypter.encrypt(token.reveal()));
}
