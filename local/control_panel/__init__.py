"""A vendor's control panel, as plain as can be: it shows the panel's component where the vendor's own would.

It has nothing of the service's code. It gets tokens from the control panel's issuer (`local.entra.control_panel`), by
the password that everybody here has, which no real control panel would do.
"""
