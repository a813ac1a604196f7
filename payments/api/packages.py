"""GET /api/v1/packages"""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.operations import PUBLIC, operation
from payments.api.messages import PackageList, package_list
from payments.selectors import packages_on_sale


class PackagesView(APIView):
    """What can be bought."""

    authentication_classes = ()
    permission_classes = ()

    @operation(
        id="listPackages",
        tag="payments",
        summary="List credit packages",
        description="The packages on sale, and the ways to pay that this installation takes. No credential is needed.",
        scope=PUBLIC,
        answers={200: PackageList},
    )
    def get(self, request: Request) -> Response:
        """The packages on sale."""
        return Response(package_list(packages_on_sale()).wire())
