import type { World } from '../world.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { Site } from './site.ts';
import { tokenRoutes } from './token-routes.ts';

/**
 * A stand-in of Signon's web pages, with its traps: status proves nothing, the cookie carries
 * everything, a create always makes another token.
 */
export class SignonStandIn extends Site {
  constructor(world: World) {
    super(world);
    signInRoutes(this);
    tokenRoutes(this);
  }
}
