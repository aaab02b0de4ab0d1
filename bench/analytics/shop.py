"""A shop that nobody runs: how its visitors walk, and by which channels they come.

Numbers are made up, and shaped as those of shops are: few go far, many go round in circles (search and
product, basket and product, a payment that fails and is tried again), and some channels bring most.
"""

from __future__ import annotations

FUNNEL = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
CONVERSION = FUNNEL[-1]
END = ""
"""What follows where a visit ends."""

ENTRANCES = {
    "Home Viewed": 40,
    "Product Viewed": 25,
    "Campaign Viewed": 15,
    "Search Made": 12,
    "Blog Read": 8,
}
"""Where a visit begins, and how often."""

WAYS: dict[str, dict[str, float]] = {
    "Home Viewed": {"Category Viewed": 30, "Search Made": 25, "Product Viewed": 15, "Logged In": 6, END: 24},
    "Campaign Viewed": {"Product Viewed": 40, "Category Viewed": 15, "Signed Up": 5, END: 40},
    "Blog Read": {"Blog Read": 25, "Product Viewed": 10, "Newsletter Joined": 5, END: 60},
    "Category Viewed": {"Product Viewed": 50, "List Filtered": 20, "Category Viewed": 10, END: 20},
    "List Filtered": {"List Filtered": 25, "List Sorted": 10, "Product Viewed": 50, END: 15},
    "List Sorted": {"Product Viewed": 65, "List Filtered": 20, END: 15},
    "Search Made": {"Results Viewed": 88, "Nothing Found": 12},
    "Results Viewed": {"Product Viewed": 60, "Search Made": 20, "List Filtered": 8, END: 12},
    "Nothing Found": {"Search Made": 55, "Home Viewed": 15, END: 30},
    "Product Viewed": {
        "Product Viewed": 18, "Product Added": 14, "Photos Viewed": 14, "Reviews Read": 9,
        "Category Viewed": 8, "Results Viewed": 7, "Product Wished": 4, "Question Asked": 1, END: 25,
    },
    "Photos Viewed": {"Photos Viewed": 20, "Product Viewed": 50, "Product Added": 12, END: 18},
    "Reviews Read": {"Reviews Read": 15, "Product Viewed": 45, "Product Added": 18, END: 22},
    "Product Wished": {"Product Viewed": 60, "Wishlist Viewed": 15, END: 25},
    "Wishlist Viewed": {"Product Viewed": 45, "Product Added": 20, END: 35},
    "Question Asked": {"Product Viewed": 55, END: 45},
    "Product Added": {"Cart Viewed": 50, "Product Viewed": 32, END: 18},
    "Cart Viewed": {
        "Checkout Started": 38, "Product Viewed": 20, "Product Removed": 12, "Coupon Entered": 8, END: 22,
    },
    "Product Removed": {"Cart Viewed": 50, "Product Viewed": 25, END: 25},
    "Coupon Entered": {"Coupon Denied": 35, "Cart Viewed": 40, "Checkout Started": 25},
    "Coupon Denied": {"Coupon Entered": 40, "Cart Viewed": 35, END: 25},
    "Checkout Started": {"Address Entered": 62, "Logged In": 14, "Cart Viewed": 9, END: 15},
    "Logged In": {"Checkout Started": 30, "Account Viewed": 25, "Home Viewed": 25, END: 20},
    "Address Entered": {"Shipping Chosen": 80, "Address Entered": 8, END: 12},
    "Shipping Chosen": {"Payment Entered": 82, "Address Entered": 6, END: 12},
    "Payment Entered": {"Payment Failed": 17, "Order Completed": 78, END: 5},
    "Payment Failed": {"Payment Entered": 65, "Help Viewed": 8, END: 27},
    "Order Completed": {"Account Viewed": 15, "Product Viewed": 6, END: 79},
    "Account Viewed": {"Home Viewed": 35, "Help Viewed": 12, END: 53},
    "Signed Up": {"Home Viewed": 50, "Product Viewed": 30, END: 20},
    "Newsletter Joined": {"Blog Read": 30, "Home Viewed": 25, END: 45},
    "Help Viewed": {"Help Viewed": 25, "Account Viewed": 15, END: 60},
}  # fmt: skip
"""What follows each step, and how often."""

STEPS = tuple(sorted(WAYS))

CHANNELS = (
    "Direct", "Google Search", "Google Ads", "Facebook Ads", "Instagram", "Newsletter", "Organic Social",
    "Affiliate", "Referral", "YouTube", "TikTok", "Bing Search", "Bing Ads", "Display", "Retargeting",
    "Pinterest", "Podcast", "Price Comparison", "App Push", "Catalogue",
)  # fmt: skip
"""The first brings most."""
