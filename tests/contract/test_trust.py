"""The authority that is given is trusted beside the machine's own, and by nobody to whom it was not given."""

import pytest

from local.entra.server import LocalEntra
from shared.adapters.notices import HttpNotices
from shared.adapters.web import Web
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable

FORM = {"logout_token": "a.b.c"}
UNITE = ClientId("unite")


async def test_documents_are_read_from_whom_the_given_authority_knows(entra: LocalEntra, web: Web) -> None:
    url = f"{entra.https}/organizations/v2.0/.well-known/openid-configuration"
    assert (await web.get_json(url))[0] == 200
    others = Web("The other side")
    with pytest.raises(Unavailable):
        await others.get_json(url)
    await others.close()


async def test_notices_are_sent_to_whom_the_given_authority_knows(entra: LocalEntra) -> None:
    trusting, others = HttpNotices(anywhere=True, ca_file=str(entra.ca_file)), HttpNotices(anywhere=True)
    with pytest.raises(Unavailable, match="rejected"):
        await trusting.post(UNITE, f"{entra.https}/", FORM)
    with pytest.raises(Unavailable, match="does not respond"):
        await others.post(UNITE, f"{entra.https}/", FORM)
    await trusting.close()
    await others.close()
